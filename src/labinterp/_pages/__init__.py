"""What a report looks like to people who read it in a browser or a notebook; `labinterp.html` is the way in."""
