# One image for the API, the workers and the clock.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/gateway
COPY requirements.lock ./
RUN /opt/gateway/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY fixtures fixtures
COPY schemas schemas
RUN /opt/gateway/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 gateway && install -d -o gateway /var/lib/gateway
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH GATEWAY_DATA_DIR=/var/lib/gateway GATEWAY_HOST=0.0.0.0 PYTHONUNBUFFERED=1
USER gateway
VOLUME /var/lib/gateway
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
STOPSIGNAL SIGTERM
CMD ["gateway", "serve", "--only-api"]
