"""The effect of people's decisions at once: only the components that they touch are resolved again.

The batch database of the last run is brought from the decisions it was made with to those in force: `moved` finds the
records that become profiles of their own or go back, `paired` the pairs that come and go with them, `neighbourhood` the
components in which anything is new and their rows; these go through the steps of a run in a database in memory, a
release is published of what changed, and `splice` puts the rows back.

Invariant: the batch database then holds the tables that a run with these decisions and no new load would have made.
"""
