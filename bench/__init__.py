"""`make bench`: the budgets of docs/budgets.md, measured in one run."""
