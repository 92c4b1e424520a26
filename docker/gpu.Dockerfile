# Workers with a GPU: one process per GPU, nothing touches CUDA before the pool has forked.
FROM python:3.12.12-slim-bookworm
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 markwise \
 && install -d -o markwise -g markwise /var/lib/markwise/adapters /home/markwise/.markwise
WORKDIR /srv/markwise
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY migrations migrations
COPY models models
COPY workers workers
RUN pip install .
USER markwise
CMD ["markwise", "worker", "--queues", "train"]
