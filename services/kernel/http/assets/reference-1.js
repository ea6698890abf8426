Redoc.init(
  "/docs/openapi.json",
  {
    downloadUrls: [{ title: "OpenAPI 3.1", url: "/openapi.json" }],
    expandSingleSchemaField: true,
    jsonSamplesExpandLevel: 3,
    pathInMiddlePanel: true,
    requiredPropsFirst: true,
    schemasExpansionLevel: 1,
    showExtensions: ["x-permission", "x-events"],
  },
  document.getElementById("reference"),
);
