//! The API description (OpenAPI 3.1), made of the table of routes.

use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Content, HttpMethod, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required, ResponseBuilder, Schema,
};

use super::routes::{ROUTES, Route, SchemaOf};
use crate::domain::policy::{self, Grant};

/// The whole description.
#[must_use]
pub fn document() -> OpenApi {
    let mut components = ComponentsBuilder::new().security_scheme(
        "bearer",
        SecurityScheme::Http(
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build(),
        ),
    );
    let mut paths = PathsBuilder::new();
    let mut schemas: Vec<(String, RefOr<Schema>)> = vec![("Problem".to_owned(), problem_schema())];
    for route in ROUTES {
        for schema in [route.body, route.answer].into_iter().flatten() {
            schemas.push(((schema.name)().into_owned(), (schema.schema)()));
            (schema.referred)(&mut schemas);
        }
        let operation = describe(route);
        paths = paths.path(route.path, PathItem::new(method(route.method), operation));
    }
    for (name, schema) in schemas {
        components = components.schema(name, schema);
    }
    let license = LicenseBuilder::new().name("Apache-2.0").build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Assay")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Educator micro-credentials: assessed blind against a public rubric, issued as signed Open Badges 3.0. Times are \
                     RFC 3339 in UTC, ids are UUIDs. Errors are problem documents (RFC 9457). PATCH and PUT need If-Match; unsafe calls \
                     may carry Idempotency-Key. Unknown members are refused.",
                ))
                .license(Some(license))
                .build(),
        )
        .paths(paths.build())
        .components(Some(components.build()))
        .build()
}

fn method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn describe(route: &Route) -> utoipa::openapi::path::Operation {
    let row = policy::row_of(route.operation);
    let mut operation = OperationBuilder::new()
        .operation_id(Some(route.operation))
        .summary(Some(route.summary))
        .tag(row.map_or("page", |row| row.object))
        .description(row.map(who_may));
    for name in path_parameters(route.path) {
        operation = operation.parameter(parameter(name, ParameterIn::Path, Required::True));
    }
    for name in route.query {
        operation = operation.parameter(parameter(name, ParameterIn::Query, Required::False));
    }
    if matches!(route.method, "PUT" | "PATCH") && takes_if_match(route.operation) {
        operation = operation.parameter(parameter("If-Match", ParameterIn::Header, Required::True));
    }
    if heeds_if_match(route.operation) {
        operation =
            operation.parameter(parameter("If-Match", ParameterIn::Header, Required::False));
    }
    if route.method != "GET" && is_protected(route.operation) {
        operation =
            operation.parameter(parameter("Idempotency-Key", ParameterIn::Header, Required::False));
    }
    if let Some(body) = route.body {
        let body = RequestBodyBuilder::new()
            .content("application/json", content(body))
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    if is_protected(route.operation) {
        operation = operation.security(SecurityRequirement::new("bearer", Vec::<String>::new()));
    }
    let mut success = ResponseBuilder::new().description(if route.status == 204 {
        "Done; nothing to say."
    } else {
        "Done."
    });
    if let Some(answer) = route.answer {
        success = success.content("application/json", content(answer));
    }
    let problem = ResponseBuilder::new()
        .description("A problem document; its code says which.")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))));
    operation
        .response(route.status.to_string(), success.build())
        .response("default", problem.build())
        .build()
}

/// The switch of issuing has no revision; everything else that is replaced or patched has.
fn takes_if_match(operation: &str) -> bool {
    operation != "switch_issuing"
}

/// What happens to an award follows from its state; whoever wants to act on no other than the one they have read says so.
fn heeds_if_match(operation: &str) -> bool {
    matches!(operation, "revoke_award" | "suspend_award" | "reinstate_award" | "renew_award")
}

fn is_protected(operation: &str) -> bool {
    policy::row_of(operation).is_some_and(|row| {
        !row.who.iter().any(|grant| matches!(grant, Grant::Anyone | Grant::Holder))
    })
}

fn who_may(row: &policy::Row) -> String {
    let who: Vec<String> = row
        .who
        .iter()
        .map(|grant| match grant {
            Grant::Anyone => "anybody".to_owned(),
            Grant::Holder => "whoever holds the secret in the body".to_owned(),
            Grant::SignedIn => "anybody who has signed in, filtered to what is theirs".to_owned(),
            Grant::Owner => "the person whose it is".to_owned(),
            Grant::OwnerAs(role) => format!("the person whose it is, with role {role}"),
            Grant::Assigned => "the assessor who holds it".to_owned(),
            Grant::AssignedAs(role) => {
                format!("the person it is assigned to in another role, with role {role}")
            }
            Grant::Role(role) => format!("role {role}"),
        })
        .collect();
    let states = if row.states.is_empty() {
        String::new()
    } else {
        format!(" In state: {}.", row.states.join(", "))
    };
    format!("Who may: {}.{states}", who.join("; "))
}

fn content(schema: SchemaOf) -> Content {
    Content::new(Some(Ref::from_schema_name((schema.name)())))
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn parameter(name: &str, place: ParameterIn, required: Required) -> Parameter {
    let kind = if matches!(name, "limit" | "n") { Type::Integer } else { Type::String };
    let schema = ObjectBuilder::new().schema_type(kind).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .schema(Some(schema))
        .build()
}

fn problem_schema() -> RefOr<Schema> {
    let text = || ObjectBuilder::new().schema_type(Type::String).build();
    let fault = ObjectBuilder::new()
        .property("pointer", text())
        .property("code", text())
        .property("detail", text())
        .required("pointer")
        .required("code")
        .required("detail")
        .build();
    let object = ObjectBuilder::new()
        .property("type", text())
        .property("title", text())
        .property("status", ObjectBuilder::new().schema_type(Type::Integer).build())
        .property("detail", text())
        .property("code", text())
        .property("request_id", text())
        .property("errors", utoipa::openapi::schema::ArrayBuilder::new().items(fault).build())
        .property(
            "allowed_events",
            utoipa::openapi::schema::ArrayBuilder::new().items(text()).build(),
        )
        .property("current", ObjectBuilder::new().schema_type(Type::Object).build())
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("code")
        .required("request_id")
        .build();
    RefOr::T(Schema::Object(object))
}
