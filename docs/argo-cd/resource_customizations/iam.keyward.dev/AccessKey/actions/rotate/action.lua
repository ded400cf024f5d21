-- A higher revision asks for a new token.
obj.spec.revision = (obj.spec.revision or 1) + 1
return obj
