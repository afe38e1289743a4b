"""From a department's file to accepted records, an archive of what came, and a quarantine."""
