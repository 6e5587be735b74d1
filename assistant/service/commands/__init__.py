"""The command line's verbs, one small file per family. They parse, call a verb and print; no logic lives here."""
