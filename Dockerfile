# docker build -t vcn .                                     on Linux, torch's default build is for CUDA
# docker build -t vcn --build-arg TORCH_INDEX=ADDRESS .     another build of torch, as the small one for
#     processors only: torch's installation page has the address of the index that holds it
# docker run --rm --network none --user "$(id -u):$(id -g)" -v "$PWD:/work" vcn run film.mp4
#     and with --gpus all, on a GPU

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS wheel
WORKDIR /source
COPY constraints.txt ./
RUN pip install --no-cache-dir --constraint constraints.txt hatchling
COPY pyproject.toml README.md LICENSE ./
COPY docs/vcn.1 docs/
COPY videoclusternet videoclusternet
RUN python -m hatchling build -t wheel -d /wheels

FROM python:${PYTHON}-slim AS installed
ARG TORCH_INDEX=
COPY constraints.txt /
RUN python -m venv /opt/vcn
RUN test -z "$TORCH_INDEX" || /opt/vcn/bin/pip install --no-cache-dir \
    --constraint /constraints.txt --index-url "$TORCH_INDEX" torch
COPY --from=wheel /wheels /wheels
RUN /opt/vcn/bin/pip install --no-cache-dir --constraint /constraints.txt /wheels/*.whl
# The networks are nobody's secret: whoever is named by --user may read them.
RUN VCN_CACHE=/opt/networks /opt/vcn/bin/vcn setup && chmod -R a+rX /opt/networks

FROM python:${PYTHON}-slim
RUN useradd --create-home --uid 1000 vcn && install --directory --owner vcn /work
COPY --from=installed /opt/vcn /opt/vcn
COPY --from=installed --chown=1000 /opt/networks /opt/networks
ENV PATH=/opt/vcn/bin:$PATH VCN_CACHE=/opt/networks
VOLUME /opt/networks
USER 1000
WORKDIR /work
ENTRYPOINT ["vcn"]
