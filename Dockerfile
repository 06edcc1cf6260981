# botkit as a service: docs/deploy.md has the commands. Everything that must stay lies in the volume /srv/botkit.
FROM python:3.11-slim AS wheel
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY botkit botkit
COPY web web
# PIP_CONSTRAINT also holds inside pip's build environment.
RUN PIP_CONSTRAINT=/src/constraints.txt pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:3.11-slim
# The builds of torch without gigabytes of libraries for a graphics card, which botkit does not use.
ARG PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
RUN useradd --system --create-home --home-dir /srv/botkit --shell /usr/sbin/nologin botkit && chmod 700 /srv/botkit
COPY constraints.txt /tmp/
COPY --from=wheel /wheel /tmp/wheel
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt "$(ls /tmp/wheel/*.whl)[postgresql]" && rm -r /tmp/wheel
USER botkit
WORKDIR /srv/botkit
VOLUME /srv/botkit
EXPOSE 8000
ENV BOTKIT_HOST=0.0.0.0 PYTHONUNBUFFERED=1
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["botkit", "serve"]
