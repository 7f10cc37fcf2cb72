"""What the platform adds to MLServer, which runs the standard servers.

In a cluster MLServer's own image runs, and these files are mounted into it: they need what is in that image, and Python
3.10, and nothing else of this project.
"""
