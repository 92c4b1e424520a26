# Workers and housekeeping, on a CPU. Build from the project's root: docker build -f docker/worker.Dockerfile .
FROM python:3.12.12-slim-bookworm
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1
RUN apt-get update && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 markwise \
 && install -d -o markwise -g markwise /var/lib/markwise/adapters /home/markwise/.markwise
WORKDIR /srv/markwise
# A source of CPU wheels for torch saves gigabytes: --build-arg TORCH_SOURCE="--index-url ...".
ARG TORCH_SOURCE=""
RUN pip install $TORCH_SOURCE torch==2.13.0
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY app app
COPY migrations migrations
COPY models models
COPY workers workers
RUN pip install .
USER markwise
CMD ["markwise", "worker", "--queues", "interactive,batch"]
