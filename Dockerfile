# The image: one static program, a list of what is in it, and nothing else. No shell, no package manager, no other user's files.
#
#   docker build --build-arg REVISION="$(git rev-parse HEAD)" --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" -t keyward .
#
# `make image` makes the same image without Docker: it reads the last stage of this file.
ARG RUST_VERSION=1.95.0
# The image to build in, of the official `rust`. Whoever owns its registry can move a tag, but not a digest; where there are both, the
# digest counts, and the tag says what it was found under. Both change with RUST_VERSION.
ARG RUST_IMAGE=rust:${RUST_VERSION}-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082

FROM ${RUST_IMAGE} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# When the source was last changed, in seconds since 1970: the only time that gets into the image.
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" image/build.sh /out

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="keyward" \
      org.opencontainers.image.description="Machine identities for Kubernetes: service accounts with access keys" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/keyward-dev/keyward" \
      org.opencontainers.image.url="https://github.com/keyward-dev/keyward" \
      org.opencontainers.image.documentation="https://github.com/keyward-dev/keyward/tree/main/docs"
COPY --from=build --chmod=0755 /out/keyward /usr/local/bin/keyward
COPY --from=build --chmod=0644 /out/keyward.cdx.json /usr/share/doc/keyward/keyward.cdx.json
COPY --from=build --chmod=0644 /src/LICENSE /usr/share/doc/keyward/LICENSE
USER 65532:65532
EXPOSE 8080 8470
ENTRYPOINT ["/usr/local/bin/keyward"]
