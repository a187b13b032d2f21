# Both images from one file: `docker build --target operator .` and `docker build --target runner .`
#
# Dependencies come from the lock files, by hash, in a layer that only a new lock rebuilds. Our own
# packages are the top layer. A build without a registry sets WHEELS=wheels-given (wheels that the
# build context holds), BASE to an image with Python 3.11, and PIP_NO_INDEX and PIP_FIND_LINKS.
ARG BASE=python:3.11-slim-bookworm
ARG RUST=rust:1-slim-bookworm
ARG WHEELS=wheels-from-source

FROM ${RUST} AS wheels-from-source
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv \
 && python3 -m venv /opt/build
WORKDIR /src
COPY requirements/build.txt requirements/
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY native native
COPY operator operator
COPY sync_runner sync_runner
RUN PATH=/opt/build/bin:$PATH \
    maturin build --release --locked --manifest-path native/Cargo.toml --out /wheels \
 && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM scratch AS wheels-given
COPY wheels/ /wheels/

FROM ${WHEELS} AS wheels

# An environment without pip, so that the images carry nothing that they do not run.
FROM ${BASE} AS installer
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/app
ENV PIP="/opt/pip/bin/pip --disable-pip-version-check --no-cache-dir --python /opt/app/bin/python"

FROM installer AS operator-dependencies
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
COPY requirements/operator.txt /tmp/
RUN $PIP install --require-hashes --only-binary :all: -r /tmp/operator.txt

FROM installer AS runner-dependencies
ARG PIP_NO_INDEX
ARG PIP_FIND_LINKS
COPY requirements/runner.txt /tmp/
RUN $PIP install --require-hashes --only-binary :all: -r /tmp/runner.txt

FROM installer AS ours
COPY --from=wheels /wheels /wheels
RUN $PIP install --no-deps --no-index --target /opt/ours /wheels/*.whl

# The user has a name, since some runtimes give a nameless one the group root.
FROM ${BASE} AS runtime
RUN echo "external-data:x:65532:65532::/tmp:/usr/sbin/nologin" >>/etc/passwd \
 && echo "external-data:x:65532:" >>/etc/group
ENV PYTHONPATH=/opt/ours PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /tmp

FROM runtime AS operator
ENTRYPOINT ["/opt/app/bin/python", "-m", "external_data_operator"]
COPY --from=operator-dependencies /opt/app /opt/app
COPY --from=ours /opt/ours /opt/ours

FROM runtime AS runner
ENTRYPOINT ["/opt/app/bin/python", "-m", "sync_runner"]
COPY --from=runner-dependencies /opt/app /opt/app
COPY --from=ours /opt/ours /opt/ours
