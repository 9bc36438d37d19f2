"""Files as other systems write them -> panels of results, and reports -> files as other systems read them. One module a form."""
