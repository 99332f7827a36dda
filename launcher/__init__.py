"""Everything around the flows: accounts, the live Mini App, the command line, the sandbox."""
