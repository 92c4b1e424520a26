"""The only SQLAlchemy in the project: tables, sessions and one repository per aggregate."""
