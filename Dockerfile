# Both images from one file: `docker build --target operator .` and `docker build --target runner .`
#
# Dependencies come from the lock files, by hash, in a layer that only a new lock rebuilds. Our own
# packages are the top layer. A build without a registry brings our wheels in `wheels/`, sets BASE and
# RUST to an image with Python 3.11, and PIP_NO_INDEX and PIP_FIND_LINKS to where the locked wheels are.
ARG BASE=python:3.11-slim-bookworm
ARG RUST=rust:1-slim-bookworm

FROM ${RUST} AS wheels
WORKDIR /src
COPY requirements/build.txt wheel[s]/*.whl /wheels/
RUN ls /wheels/*.whl || { apt-get update \
 && apt-get install --yes --no-install-recommends python3-venv && python3 -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps -r /wheels/build.txt; }
COPY . .
RUN ls /wheels/*.whl || { PATH=/opt/build/bin:$PATH \
    maturin build --release --locked --manifest-path native/Cargo.toml --out /wheels \
 && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .; }

FROM ${BASE} AS ours
RUN python3 -m venv /opt/pip
COPY --from=wheels /wheels /wheels
RUN /opt/pip/bin/pip install --disable-pip-version-check --no-deps --no-index --target /opt/ours /wheels/*.whl

# The user has a name, since some runtimes give a nameless one the group root.
FROM ${BASE} AS runtime
RUN echo "external-data:x:65532:65532::/tmp:/usr/sbin/nologin" >>/etc/passwd \
 && echo "external-data:x:65532:" >>/etc/group
ENV PYTHONPATH=/opt/ours PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp

# pip leaves in the layer that it came in: the images carry nothing that they do not run.
FROM runtime AS operator
ARG PIP_NO_INDEX=""
ARG PIP_FIND_LINKS=""
COPY requirements/operator.txt /opt/
RUN python3 -m venv /opt/app \
 && /opt/app/bin/pip install --no-cache-dir --compile --require-hashes --only-binary :all: -r /opt/operator.txt \
 && /opt/app/bin/pip uninstall --yes pip setuptools
USER 65532:65532
ENTRYPOINT ["/opt/app/bin/python", "-m", "external_data_operator"]
COPY --from=ours /opt/ours /opt/ours

FROM runtime AS runner
# Arrow keeps freed memory in as many places as there are cores, times four; two do as well.
ENV JE_ARROW_MALLOC_CONF=narenas:2
ARG PIP_NO_INDEX=""
ARG PIP_FIND_LINKS=""
COPY requirements/runner.txt /opt/
RUN python3 -m venv /opt/app \
 && /opt/app/bin/pip install --no-cache-dir --compile --require-hashes --only-binary :all: -r /opt/runner.txt \
 && /opt/app/bin/pip uninstall --yes pip setuptools
USER 65532:65532
ENTRYPOINT ["/opt/app/bin/python", "-m", "sync_runner"]
COPY --from=ours /opt/ours /opt/ours
