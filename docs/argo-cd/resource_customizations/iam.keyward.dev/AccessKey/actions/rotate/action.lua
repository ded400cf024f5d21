-- A revision above the last one asks for a new token. One that Git has may be behind it, or too far ahead.
local asked = obj.spec.revision or 1
local last = obj.status and obj.status.token and obj.status.token.revision
if last and (asked < last or asked > last + 1000) then
  asked = last
end
obj.spec.revision = asked + 1
return obj
