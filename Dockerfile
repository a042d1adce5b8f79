# The service with its packaged models, for the CPU: docker build --tag dateline .
# How to run it: docs/operations.md. The Python is the one that the tests run with.
FROM python:3.11-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/dateline
ENV PATH=/opt/dateline/bin:$PATH
WORKDIR /build

# The dependencies alone, so that a change of our code does not install them anew.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
      > dependencies.txt \
    && pip install --extra-index-url https://download.pytorch.org/whl/cpu \
      --constraint constraints.txt --requirement dependencies.txt

COPY README.md LICENSE ./
COPY rag rag
COPY api api
COPY prompts prompts
COPY evals evals
RUN pip install --no-deps .


FROM python:3.11-slim-trixie

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin dateline \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/dateline /opt/dateline

# Nothing is downloaded when it starts or answers; a model of your own is mounted, and named by path.
ENV PATH=/opt/dateline/bin:$PATH \
    DATELINE_DATA_DIR=/data \
    HF_HUB_OFFLINE=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

USER 10001:10001
VOLUME /data
EXPOSE 8000

# By http.client, which no proxy setting diverts.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

ENTRYPOINT ["dateline"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
