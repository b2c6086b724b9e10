"""How the events of a writer land: backends, accounts, and what a process keeps of its writers."""
