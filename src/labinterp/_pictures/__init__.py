"""Pictures of findings, reports and cohorts: what is drawn is found here as plain data first; `plots` hands the figures out."""
