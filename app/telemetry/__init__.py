"""What the processes tell operators: logs, metrics and traces. Below everything but settings; knows no route, job or model."""
