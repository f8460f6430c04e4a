"""Accounts, sessions, roles and the audit trail."""
