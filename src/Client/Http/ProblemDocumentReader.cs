using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Http;

/// <summary>Converts problem documents to the exceptions of the same errors in C#.</summary>
internal static class ProblemDocumentReader
{
    private static readonly Dictionary<string, Func<ProblemFields, Exception>> ByReason = new()
    {
        [ErrorReason.NoSuchRoute] = problem => new NoSuchRouteException(problem.Detail),
        [ErrorReason.Overloaded] = problem => new OverloadedException(problem.Detail, problem.RetryAfter),
        [ErrorReason.NoReplica] = problem => new NoReplicaException(problem.Detail),
        [ErrorReason.Timeout] = problem => new RequestTimeoutException(problem.Detail),
        [ErrorReason.DeadlineUnmeetable] = problem => new DeadlineUnmeetableException(problem.Detail),
        [ErrorReason.UserException] = problem => new UserCodeException(problem.Text("exceptionType") ?? "", problem.Detail, problem.Text("stack")),
        [ErrorReason.ReplicaDied] = problem => new ReplicaDiedException(problem.Detail),
        [ErrorReason.BadInput] = problem => problem.Errors is { Count: > 0 } errors ? new DefinitionException(errors) : new BadInputException(problem.Detail),
        [ErrorReason.Unauthorized] = problem => new AccessDeniedException(ErrorReason.Unauthorized, problem.Status, problem.Detail),
        [ErrorReason.Forbidden] = problem => new AccessDeniedException(ErrorReason.Forbidden, problem.Status, problem.Detail),
    };

    /// <summary>Reads the error of a response.</summary>
    public static async Task<Exception> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        var retryAfter = response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1);
        return Read(TryParse(body), (int)response.StatusCode, retryAfter, $"HTTP {(int)response.StatusCode} {response.ReasonPhrase}".TrimEnd());
    }

    /// <summary>Reads an error at the end of a stream.</summary>
    public static Exception Read(JsonElement problem) =>
        Read(JsonObject.Create(problem), 500, TimeSpan.FromSeconds(1), "The stream ended with an error without details.");

    private static Exception Read(JsonObject? json, int status, TimeSpan retryAfter, string otherwise)
    {
        var problem = new ProblemFields(json ?? [], status, retryAfter, otherwise);
        var reason = problem.Text("reason") ?? "";
        return ByReason.TryGetValue(reason, out var make)
            ? make(problem)
            : new UnexpectedResponseException(reason, problem.Status, problem.Detail);
    }

    private static JsonObject? TryParse(string body)
    {
        try
        {
            return JsonNode.Parse(body) as JsonObject;
        }
        catch (JsonException)
        {
            // Not a problem document, for instance a proxy's page; the status suffices.
            return null;
        }
    }

    private sealed class ProblemFields(JsonObject json, int status, TimeSpan retryAfter, string otherwise)
    {
        public int Status => json["status"] is JsonValue value && value.TryGetValue<int>(out var own) ? own : status;

        public TimeSpan RetryAfter => retryAfter;

        public string Detail => Text("detail") ?? Text("title") ?? otherwise;

        public IReadOnlyList<string>? Errors => json["errors"] is JsonArray list ? [.. list.Select(error => error?.ToString() ?? "")] : null;

        public string? Text(string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }
}
