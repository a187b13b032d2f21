{{- /* The operator's settings; its settings.py is the only reader. */ -}}
{{- define "edo.env" -}}
- name: EXTERNAL_DATA_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: EXTERNAL_DATA_RUNNER_IMAGE
  value: {{ include "edo.image" (dict "image" .Values.runner.image "version" .Chart.AppVersion) | quote }}
- name: EXTERNAL_DATA_RUNNER_IMAGE_PULL_POLICY
  value: {{ .Values.runner.image.pullPolicy | quote }}
- name: EXTERNAL_DATA_RUNNER_IMAGE_PULL_SECRETS
  value: {{ .Values.runner.imagePullSecrets | toJson | quote }}
- name: EXTERNAL_DATA_RUNNER_RESOURCES
  value: {{ .Values.runner.resources | toJson | quote }}
- name: EXTERNAL_DATA_RUNNER_SCRATCH
  value: {{ .Values.runner.scratch | quote }}
- name: EXTERNAL_DATA_RUN_DEADLINE_SECONDS
  value: {{ .Values.runner.deadlineSeconds | int64 | quote }}
- name: EXTERNAL_DATA_JOB_TTL_SECONDS
  value: {{ .Values.runner.jobTtlSeconds | int64 | quote }}
{{- with .Values.defaultDestination }}
- name: EXTERNAL_DATA_DEFAULT_DESTINATION
  value: {{ . | toJson | quote }}
{{- end }}
- name: EXTERNAL_DATA_ALLOW_PRIVATE_HOSTS
  value: {{ .Values.allowPrivateHosts | toJson | quote }}
- name: EXTERNAL_DATA_REJECT_INLINE_CREDENTIALS
  value: {{ .Values.rejectInlineCredentials | quote }}
- name: EXTERNAL_DATA_WATCH_NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: EXTERNAL_DATA_WORKERS
  value: {{ .Values.workers | int64 | quote }}
- name: EXTERNAL_DATA_RESYNC_SECONDS
  value: {{ .Values.resyncSeconds | int64 | quote }}
- name: EXTERNAL_DATA_LOG_FORMAT
  value: {{ .Values.log.format | quote }}
- name: EXTERNAL_DATA_LOG_LEVEL
  value: {{ .Values.log.level | quote }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
