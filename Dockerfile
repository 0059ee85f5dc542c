# Images for a mesh in containers. Nothing is in them but the programs and the libraries that they link: no shell.
#
#   docker build -t actor-mesh .                          the command `mesh`, and the example `publisher` as node or driver
#   docker build -t actor-mesh-broker --target broker .   the broker that keeps its registry in a file

# Where the programs come from: the stage that builds them, or an image that has them in /out.
ARG BINARIES=build

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmsgpack-dev libsodium-dev libsqlite3-dev libzmq3-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# The dependencies first: they change less often than the sources.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
COPY Examples Examples
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product mesh \
    && swift build -c release --static-swift-stdlib --product mesh-broker \
    && swift build -c release --static-swift-stdlib --product publisher \
    && mkdir /out && cd "$(swift build -c release --static-swift-stdlib --show-bin-path)" \
    && for program in mesh mesh-broker publisher; do strip -o "/out/$program" "$program"; done

FROM ${BINARIES} AS binaries

# What the programs link, with what that links, and the few files that the C library reads.
FROM debian:bookworm-slim AS libraries
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmsgpackc2 libsodium23 libsqlite3-0 libstdc++6 libzmq5 \
    && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /root-fs/etc /root-fs/tmp /root-fs/var/tmp /run-mesh /lib-mesh/state \
    && chmod 1777 /root-fs/tmp /root-fs/var/tmp \
    && ldconfig -p | awk '$1 ~ /^lib(msgpackc|sodium|sqlite3|stdc\+\+|zmq)\.so/ { print $NF }' > /tmp/libraries \
    && { cat /tmp/libraries; xargs ldd < /tmp/libraries | grep -o '/[^ :]*\.so[^ :]*'; } | sort -u \
        | xargs -I '{}' cp -L --parents '{}' /root-fs \
    && echo 'mesh:x:10001:10001::/var/lib/mesh:/' > /root-fs/etc/passwd \
    && echo 'mesh:x:10001:' > /root-fs/etc/group \
    && echo 'hosts: files dns' > /root-fs/etc/nsswitch.conf

FROM scratch AS base
COPY --from=libraries /root-fs/ /
# The folders of the key and of what lasts; a new volume takes over to whom they belong.
COPY --from=libraries --chown=10001:10001 /run-mesh /run/mesh
COPY --from=libraries --chown=10001:10001 /lib-mesh /var/lib/mesh
COPY --from=binaries /out/mesh /usr/bin/
ENV PATH=/usr/bin HOME=/var/lib/mesh MESH_KEY_FILE=/run/mesh/mesh.key MESH_STATE=/var/lib/mesh/state
USER mesh

FROM base AS broker
COPY --from=binaries /out/mesh-broker /usr/bin/
EXPOSE 4711
# It answers, to somebody who has the key.
HEALTHCHECK --interval=3s --timeout=5s --start-period=10s --retries=3 \
    CMD ["mesh", "nodes", "--mesh", "tcp://127.0.0.1:4711", "--timeout", "3"]
CMD ["mesh", "broker", "--bind", "tcp://0.0.0.0:4711", "--store", "/var/lib/mesh/registry.sqlite", "--no-dashboard"]

FROM base AS node
COPY --from=binaries /out/publisher /usr/bin/
# A node that has lost its mesh for good ends by itself, so there is nothing to ask it.
CMD ["publisher", "node"]
