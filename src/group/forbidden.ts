/**
 * What the API server forbids (403), with what to do about it. RBAC says what the operator "cannot"; the rest is a quota
 * or an admission policy, which no role helps against.
 */
export function forbiddenMessage(said: string): string {
  const remedy = /\bcannot \w+ resource\b/.test(said)
    ? 'Give the operator its role back: config/rbac'
    : 'That is a quota or an admission policy, not RBAC: change it, or exempt the operator'
  return `${said}. ${remedy}`
}
