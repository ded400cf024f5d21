obj.spec.state = "Inactive"
return obj
