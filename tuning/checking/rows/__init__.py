"""The rules of each family of formats, one file each: a row in, its problems out. `table.py` lists them."""
