"""Attribution of any model that can be called with parts of its input hidden."""
