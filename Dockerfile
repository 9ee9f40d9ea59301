# The operator's image: one file on a Node base, nothing else.
#
#   docker build -t leadergroup/operator:0.1.0 .
#
# Both bases can be others, of a mirror for example:
#   --build-arg BUILDER=mirror.example.com/node:24 --build-arg BASE=node:24-slim
# BASE needs Node 24 in /nodejs/bin, as distroless images have it, or on the usual path; no shell, no npm.
ARG BUILDER=node:24
ARG BASE=gcr.io/distroless/nodejs24-debian12

# The bundle is the same for every platform, so it is built on the builder's own.
FROM --platform=$BUILDPLATFORM ${BUILDER} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.library.json LICENSE ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM ${BASE}
LABEL org.opencontainers.image.title="LeaderGroup operator" \
      org.opencontainers.image.description="Exactly one leader among your pods" \
      org.opencontainers.image.licenses="Apache-2.0"
# glibc would give each of Node's threads a heap of its own, and hardly ever give back what a list has taken.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=1 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    PATH=/nodejs/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# .mjs: there is no package.json beside it that would say that it is an ES module.
COPY --from=build --chmod=444 /build/dist/leadergroup.js /leadergroup.mjs
COPY --from=build --chmod=444 /build/LICENSE /build/dist/leadergroup.js.LEGAL.txt /licenses/
# By number: a kubelet cannot tell from a name that it is not root. It is that of distroless's `nonroot`, and it owns
# nothing here; nothing is ever written.
USER 65532:65532
# Flags can be given as arguments, or as LEADERGROUP_… variables. V8's own keeps memory small that an operator, which
# waits for the network, has no use for; NODE_OPTIONS does not take it.
ENTRYPOINT ["node", "--optimize-for-size", "/leadergroup.mjs"]
CMD ["operator"]
