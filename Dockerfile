# Inkfold in a container (docs/docker.md):
#
#     docker build -t inkfold .                         packs, augments, classifies, draws
#     docker build -t inkfold-train --target train .    trains and evaluates as well
#
# Python's version is the one that the tests run on.
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY inkfold inkfold
RUN python -m venv /opt/inkfold \
    && /opt/inkfold/bin/pip install --no-cache-dir '.[draw,heic]'

FROM build AS build-train
RUN /opt/inkfold/bin/pip install --no-cache-dir '.[all]'

# What both images have in common; the compilers and sources of the stages above stay out of them.
FROM python:3.11-slim AS base
RUN useradd --uid 1000 --create-home inkfold && install -d -o inkfold -g inkfold /data
ENV PATH=/opt/inkfold/bin:$PATH
# whoever runs it by --user has no home folder here
ENV HOME=/tmp
WORKDIR /data
VOLUME /data
USER 1000
ENTRYPOINT ["inkfold"]
CMD ["--help"]

FROM base AS train
COPY --from=build-train /opt/inkfold /opt/inkfold

FROM base AS answer
COPY --from=build /opt/inkfold /opt/inkfold
