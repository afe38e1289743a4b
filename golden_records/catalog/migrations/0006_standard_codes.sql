-- Codes of national standards beside the golden values that have one: matchers/standard_codes.py. Rows of earlier
-- releases have none.

alter table natural_person add column sex_code text;

alter table natural_person add column ethnicity_code text;

alter table natural_person add column nationality_code text;

alter table natural_person_history add column sex_code text;

alter table natural_person_history add column ethnicity_code text;

alter table natural_person_history add column nationality_code text;
