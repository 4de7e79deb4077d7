# A relay with its tor, in one container that needs one volume and nothing else.
# Debian as a build argument: a build pins it by digest, a test brings its own.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv
RUN python3 -m venv /opt/sotto
WORKDIR /src
COPY requirements-build.txt requirements.txt ./
# The two packages without wheels are built with the locked tools, not with what is newest.
RUN /opt/sotto/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt \
 && /opt/sotto/bin/pip install --no-cache-dir --require-hashes --no-build-isolation -r requirements.txt
COPY . .
RUN /opt/sotto/bin/pybabel compile -d locale -D messages \
 && /opt/sotto/bin/pip wheel --no-cache-dir --no-build-isolation --no-deps --no-index -w /wheels . \
 && /opt/sotto/bin/pip install --no-cache-dir --no-deps --no-index /wheels/*.whl \
 && /opt/sotto/bin/pip uninstall -y setuptools wheel pip

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 tor \
 && rm -rf /var/lib/apt/lists/* /var/log/* \
 && useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin sotto \
 && install -d -o sotto -g sotto -m 0700 /data
COPY --from=build /opt/sotto /opt/sotto
ENV PATH=/opt/sotto/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SOTTO_DATA=/data/relay \
    TMPDIR=/data
USER sotto
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=15s --start-period=60s CMD ["sotto", "relay", "ping"]
ENTRYPOINT ["sotto"]
CMD ["relay", "serve"]
