{{/* The container of both shapes. */}}
{{- define "genai-ferry.container" -}}
{{- include "genai-ferry.checks" . }}
name: {{ .Chart.Name }}
image: {{ include "genai-ferry.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if eq .Values.mode "sidecar" }}
restartPolicy: Always
{{- end }}
env:
  {{- include "genai-ferry.env" . | trim | nindent 2 }}
ports:
  {{- if eq .Values.mode "deployment" }}
  - name: http
    containerPort: {{ .Values.config.port }}
  {{- end }}
  - name: ferry-admin
    containerPort: {{ .Values.config.admin_port }}
{{- range $probe := list "startupProbe" "livenessProbe" "readinessProbe" }}
{{- with index $.Values $probe }}
{{ $probe }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.preStopSeconds }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ . }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
volumeMounts:
  - name: ferry-state
    mountPath: /var/lib/genai-ferry
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "genai-ferry.volumes" -}}
- name: ferry-state
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.existingClaim | default (include "genai-ferry.fullname" .) | quote }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.persistence.size }}
  {{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "genai-ferry.env" -}}
{{- $config := .Values.config }}
{{- if eq .Values.mode "sidecar" }}
- name: FERRY_ADMIN_HOST
  valueFrom:
    fieldRef:
      fieldPath: status.podIP
{{- end }}
- name: FERRY_HOST
  value: {{ $config.host | default (eq .Values.mode "sidecar" | ternary "127.0.0.1" "0.0.0.0") | quote }}
- name: FERRY_STATE_URL
  value: {{ $config.state_url | default "file:///var/lib/genai-ferry/state" | quote }}
- name: TMPDIR
  value: /var/lib/genai-ferry
{{- include "genai-ferry.settings" (dict "prefix" "FERRY_" "settings" (omit $config "host" "state_url")) }}
{{- include "genai-ferry.secret" (dict "variable" "FERRY_SECRET_KEY" "secret" .Values.secretKey) }}
{{- include "genai-ferry.secret" (dict "variable" "FERRY_CLIENT_TOKENS" "secret" .Values.clientTokens) }}
{{- range $provider, $secret := .Values.providerKeys }}
{{- $name := $provider | upper | replace "-" "_" }}
{{- include "genai-ferry.secret" (dict "variable" (printf "FERRY_PROVIDERS__%s__API_KEY" $name) "secret" $secret) }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The variables of `settings`, all of which begin with `prefix`. */}}
{{- define "genai-ferry.settings" -}}
{{- range $name, $value := .settings }}
{{- $variable := printf "%s%s" $.prefix ($name | upper | replace "-" "_") }}
{{- if kindIs "map" $value }}
{{- include "genai-ferry.settings" (dict "prefix" (printf "%s__" $variable) "settings" $value) }}
{{- else if kindIs "slice" $value }}
- name: {{ $variable }}
  value: {{ join "," $value | quote }}
{{- else if kindIs "string" $value }}
{{- with $value }}
- name: {{ $variable }}
  value: {{ . | quote }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
- name: {{ $variable }}
  value: {{ toJson $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "genai-ferry.secret" -}}
{{- if .secret.existingSecret }}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret.existingSecret | quote }}
      key: {{ .secret.key | quote }}
{{- end }}
{{- end }}
