# The API: no torch, no model, no build tools. Build from the project's root: docker build -f docker/api.Dockerfile .
FROM python:3.12.12-slim-bookworm
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1
# Volumes are mounted on these; a folder that the image lacks would belong to root.
RUN useradd --create-home --uid 10001 markwise \
 && install -d -o markwise -g markwise /var/lib/markwise/adapters /home/markwise/.markwise
WORKDIR /srv/markwise
COPY docker/api-requirements.txt docker/
RUN pip install -r docker/api-requirements.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY migrations migrations
COPY models models
RUN rm -rf models/weights && pip install --no-deps .
USER markwise
EXPOSE 8000
CMD ["python", "-m", "app.stack.api_process", "--host", "0.0.0.0", "--port", "8000"]
