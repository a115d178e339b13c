FROM python:3.12-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY projections projections
COPY infra infra
COPY services services
RUN python -m venv /opt/caretally && /opt/caretally/bin/pip install --no-cache-dir .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home caretally
COPY --from=build /opt/caretally /opt/caretally
ENV PATH=/opt/caretally/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
ENTRYPOINT ["caretally"]
CMD ["serve"]
