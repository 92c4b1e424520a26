"""Starting, watching and stopping the processes of one installation; knows nothing of marks, jobs or HTTP routes."""
