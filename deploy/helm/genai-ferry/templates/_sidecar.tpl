{{/*
For a chart that depends on this one with `mode: sidecar`; ../../example-app is one. The argument
is this chart's context: index .Subcharts "genai-ferry".
*/}}

{{/* An item of initContainers. The containers of the app start once it is ready, and end first. */}}
{{- define "genai-ferry.sidecar" -}}
{{- if ne .Values.mode "sidecar" }}
{{- fail "the chart genai-ferry needs mode: sidecar here, or it also makes a Deployment" }}
{{- end }}
- {{- include "genai-ferry.container" . | nindent 2 | trim | printf " %s" }}
{{- end }}

{{/* Items of volumes. */}}
{{- define "genai-ferry.sidecar.volumes" -}}
{{- include "genai-ferry.volumes" . }}
{{- end }}

{{/* The SDK's base_url. */}}
{{- define "genai-ferry.sidecar.baseUrl" -}}
http://127.0.0.1:{{ .Values.config.port }}/genai
{{- end }}
