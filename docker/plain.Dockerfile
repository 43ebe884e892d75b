# fer on a plain machine: ROS 2 from wheels, no ROS installation.
#   docker build -f docker/plain.Dockerfile -t fer .
#   docker run --rm -it --network host --ipc host --device /dev/video0 fer
FROM debian:trixie-slim AS tools
# The versions are Debian's: a stable release gets nothing but fixes.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates g++ gcc git make python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

FROM tools
WORKDIR /fer
COPY . .
RUN ./fer setup
STOPSIGNAL SIGINT
ENTRYPOINT ["./fer"]
CMD ["up"]
