"""The review desk (审核台): pages under /review for the people who judge contested cases."""
