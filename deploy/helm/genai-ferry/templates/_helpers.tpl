{{- define "genai-ferry.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Short enough for the suffix "-admin" of the second Service, whose name may have no dots either.
*/}}
{{- define "genai-ferry.fullname" -}}
{{- $name := include "genai-ferry.name" . }}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- .Values.fullnameOverride | default $full | replace "." "-" | trunc 57 | trimSuffix "-" }}
{{- end }}

{{/* What the schema cannot compare. */}}
{{- define "genai-ferry.checks" -}}
{{- if eq (int .Values.config.port) (int .Values.config.admin_port) }}
{{- fail "config.admin_port must differ from config.port" }}
{{- end }}
{{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) }}
{{- fail "autoscaling.minReplicas must not be above autoscaling.maxReplicas" }}
{{- end }}
{{- if and (eq .Values.mode "deployment") (regexMatch "^[0-9]" (include "genai-ferry.fullname" .)) }}
{{- fail "the name of a Service cannot begin with a digit: set fullnameOverride, or name the release otherwise" }}
{{- end }}
{{- $names := dict }}
{{- range $given, $_ := .Values.config.providers }}
{{- $name := $given | replace "_" "-" }}
{{- if hasKey $names $name }}
{{- fail (printf "config.providers.%s and config.providers.%s are the same name" (get $names $name) $given) }}
{{- end }}
{{- $_ := set $names $name $given }}
{{- end }}
{{- $keys := .Values.providerKeys | default dict }}
{{- $needed := list }}
{{- range $provider, $settings := .Values.config.providers }}
{{- if and (eq ($settings.credentials | default "caller") "ambient") (ne ($settings.kind | default $provider) "bedrock") }}
{{- $needed = append $needed $provider }}
{{- end }}
{{- end }}
{{- range $needed }}
{{- if not (hasKey $keys .) }}
{{- fail (printf "providerKeys.%s must be set, since config.providers.%s.credentials is ambient" . .) }}
{{- end }}
{{- end }}
{{- range keys $keys }}
{{- if not (has . $needed) }}
{{- fail (printf "providerKeys.%s is used only if config.providers.%s.credentials is ambient and its kind is not bedrock" . .) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "genai-ferry.selectorLabels" -}}
app.kubernetes.io/name: {{ include "genai-ferry.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "genai-ferry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "genai-ferry.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "genai-ferry.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "genai-ferry.fullname" .) "default") }}
{{- end }}

{{- define "genai-ferry.image" -}}
{{- with .Values.image }}
{{- .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "genai-ferry.publicHost" -}}
{{- (urlParse .Values.config.public_url).hostname | lower }}
{{- end }}

{{- define "genai-ferry.publicPath" -}}
{{- (urlParse .Values.config.public_url).path | trimSuffix "/" }}/genai
{{- end }}

{{/* How long a pod needs to end. */}}
{{- define "genai-ferry.terminationSeconds" -}}
{{- add .Values.preStopSeconds .Values.config.drain_grace_seconds .Values.config.drain_seconds 10 }}
{{- end }}
