"""One module per page or family of pages: handlers that `gateway.web.routes` puts at their addresses."""
