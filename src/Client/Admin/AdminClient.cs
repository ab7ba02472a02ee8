using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Http;
using Serve.Specs;

namespace Serve.Admin;

/// <summary>
/// A typed client of a node's admin REST API: deploys applications and reads their status. Thread-safe. Every method throws
/// <see cref="NodeUnreachableException"/> if the node is unreachable, <see cref="AccessDeniedException"/> if the token is missing or wrong,
/// and <see cref="DefinitionException"/> with all errors if the request is invalid.
/// </summary>
public sealed class AdminClient : IDisposable
{
    private const string Applications = "api/serve/applications/";

    private readonly NodeHttpConnection _connection;

    /// <summary>Creates a client without connecting.</summary>
    /// <param name="address">The base address of the admin API. Default: a node on this machine with default ports.</param>
    /// <param name="options">Connection options. The defaults suit a node on this machine.</param>
    /// <exception cref="ArgumentException">The address is invalid, or the token file cannot be read.</exception>
    public AdminClient(string address = "http://127.0.0.1:8265", ServeClientOptions? options = null) => _connection = NodeHttpConnection.Open(
        address,
        options ?? new ServeClientOptions(),
        "Start a node with 'serve start', or specify its address with --address or SERVE_ADDRESS.");

    /// <summary>Gets the address of the admin API.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Applies a full configuration: deploys its applications and deletes all others. Returns when the node has accepted it, not when it has been carried out.</summary>
    /// <param name="config">The desired configuration.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the desired state.</returns>
    public Task DeployAsync(ServeConfig config, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Put, Applications, ServeConfigWriter.Write(config), cancellationToken);

    /// <summary>Deploys one application without affecting the others. Returns when the node has accepted it, not when it has been carried out.</summary>
    /// <param name="application">The desired configuration.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the desired state.</returns>
    public Task DeployAsync(ApplicationConfig application, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(application);
        return SendAsync(HttpMethod.Put, Application(application.Name), ServeConfigWriter.Write(application), cancellationToken);
    }

    /// <summary>Gets the status of the node and all applications, deployments and replicas.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The status.</returns>
    public Task<ServeInstanceDetails> GetStatusAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<ServeInstanceDetails>(HttpMethod.Get, Applications, null, cancellationToken);

    /// <summary>Gets the status of one application.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The status.</returns>
    /// <exception cref="NoSuchRouteException">The application does not exist.</exception>
    public Task<ApplicationDetails> GetApplicationAsync(string application, CancellationToken cancellationToken = default) =>
        ReadAsync<ApplicationDetails>(HttpMethod.Get, Application(application), null, cancellationToken);

    /// <summary>Deletes one application: running requests complete, then its replicas stop.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the deletion.</returns>
    /// <exception cref="NoSuchRouteException">The application does not exist.</exception>
    public Task DeleteAsync(string application, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Application(application), null, cancellationToken);

    /// <summary>Deletes all applications.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the deletion.</returns>
    public Task DeleteAllAsync(CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Applications, null, cancellationToken);

    /// <summary>Sets the number of replicas of a deployment, until the application is deployed again.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="replicas">The number of replicas, 0 to 10000.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the desired state.</returns>
    /// <exception cref="NoSuchRouteException">The application or deployment does not exist.</exception>
    public Task ScaleAsync(DeploymentId deployment, int replicas, CancellationToken cancellationToken = default) => SendAsync(
        HttpMethod.Post,
        $"api/v1/applications/{Uri.EscapeDataString(deployment.Application)}/deployments/{Uri.EscapeDataString(deployment.Name)}/scale",
        JsonSerializer.SerializeToNode(new ScaleDeploymentRequest { TargetNumReplicas = replicas }, ServeJson.Options),
        cancellationToken);

    /// <summary>Gets the revisions of an application, newest first.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The revisions.</returns>
    /// <exception cref="NoSuchRouteException">The application does not exist.</exception>
    public Task<RevisionDetailsList> GetRevisionsAsync(string application, CancellationToken cancellationToken = default) =>
        ReadAsync<RevisionDetailsList>(HttpMethod.Get, $"api/v1/applications/{Uri.EscapeDataString(application)}/revisions", null, cancellationToken);

    /// <summary>Lets the canary of an application replace its stable revision.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the desired state.</returns>
    /// <exception cref="NoSuchRouteException">The application does not exist.</exception>
    /// <exception cref="DefinitionException">The application has no canary.</exception>
    public Task PromoteAsync(string application, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, $"api/v1/applications/{Uri.EscapeDataString(application)}/promote", null, cancellationToken);

    /// <summary>Changes the share of an application's canary, and ends its automatic promotion.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="percent">Percent of the requests, 0 to 100.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the desired state.</returns>
    /// <exception cref="NoSuchRouteException">The application does not exist.</exception>
    /// <exception cref="DefinitionException">The application has no canary, or the percent is out of range.</exception>
    public Task ChangeCanaryAsync(string application, double percent, CancellationToken cancellationToken = default) => SendAsync(
        HttpMethod.Post, $"api/v1/applications/{Uri.EscapeDataString(application)}/canary",
        JsonSerializer.SerializeToNode(new ChangeCanaryRequest { Percent = percent }, ServeJson.Options), cancellationToken);

    /// <summary>Ends the canary of an application, if it has one and no revision is given; otherwise deploys an earlier revision again, as a new revision with the same code and settings.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="revision">Number of the revision; null for the last good one, or the previous one if the current one runs.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has stored the desired state.</returns>
    /// <exception cref="NoSuchRouteException">The application does not exist.</exception>
    /// <exception cref="DefinitionException">The revision does not exist.</exception>
    public Task RollBackAsync(string application, long? revision = null, CancellationToken cancellationToken = default) => SendAsync(
        HttpMethod.Post, $"api/v1/applications/{Uri.EscapeDataString(application)}/rollback",
        JsonSerializer.SerializeToNode(new RollbackRequest { Revision = revision }, ServeJson.Options), cancellationToken);

    /// <summary>Reads the log lines of an application's replicas.</summary>
    /// <param name="application">The application's name.</param>
    /// <param name="deployment">A deployment; null for all.</param>
    /// <param name="replica">A replica, by its id or the last part of it; null for all.</param>
    /// <param name="tail">The number of existing lines to return; null for the node's default.</param>
    /// <param name="follow">Whether to wait for further lines until canceled.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The lines as they are logged.</returns>
    /// <exception cref="NoSuchRouteException">The application, deployment or replica does not exist.</exception>
    public async IAsyncEnumerable<string> ReadLogsAsync(
        string application,
        string? deployment = null,
        string? replica = null,
        int? tail = null,
        bool follow = false,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        (string Key, string? Value)[] query =
        [
            ("deployment", deployment),
            ("replica", replica),
            ("tail", tail?.ToString(CultureInfo.InvariantCulture)),
            ("follow", follow ? "true" : null),
        ];
        var asked = string.Join('&', query.Where(pair => pair.Value is not null).Select(pair => $"{pair.Key}={Uri.EscapeDataString(pair.Value!)}"));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"api/v1/applications/{Uri.EscapeDataString(application)}/logs{(asked.Length > 0 ? "?" : "")}{asked}");
        using var response = await _connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        while (await ReadLineAsync(reader, cancellationToken).ConfigureAwait(false) is { } line)
            yield return line;
    }

    /// <summary>Gets the nodes with their total and reserved resources and their worker processes.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The nodes.</returns>
    public Task<NodeDetailsList> GetNodesAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<NodeDetailsList>(HttpMethod.Get, "api/v1/nodes", null, cancellationToken);

    /// <summary>Creates a link to the node's dashboard. A browser that opens it within a minute is signed in; the link is valid once.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The link; just the address of the dashboard if the node requires no token.</returns>
    /// <exception cref="NoSuchRouteException">The node has no dashboard.</exception>
    public async Task<Uri> CreateDashboardLinkAsync(CancellationToken cancellationToken = default)
    {
        var created = await ReadAsync<JsonObject>(HttpMethod.Post, "api/v1/session/codes", null, cancellationToken).ConfigureAwait(false);
        // Behind '#', where browsers do not send it and servers do not log it.
        return new(Address, created["code"] is { } code ? $"/#code={code}" : "/");
    }

    /// <summary>Reports the node as not ready at its gateway's <c>/-/readyz</c> while it keeps serving, so that load balancers send no more requests before it is shut down.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes when the node has accepted.</returns>
    public Task DrainAsync(CancellationToken cancellationToken = default) => SendAsync(HttpMethod.Post, "api/v1/drain", null, cancellationToken);

    /// <summary>Shuts down the node after running requests have completed. Its applications are restored when it starts again.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A report, sent when only the node's own process is left, which then exits.</returns>
    public Task<NodeShutdownReport> ShutdownAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<NodeShutdownReport>(HttpMethod.Post, "api/v1/shutdown", null, cancellationToken);

    /// <summary>Uploads a package.</summary>
    /// <param name="zip">A package created by <c>serve build</c>. The stream is read to its end and not disposed.</param>
    /// <param name="cancellationToken">Cancels the upload.</param>
    /// <returns>A reference to use as an application's <c>import_path</c>.</returns>
    public async Task<UploadedPackageReference> UploadPackageAsync(Stream zip, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(zip);
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/packages")
        {
            Content = new PackageHttpContent(zip),
        };
        return await ReadAsync<UploadedPackageReference>(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Checks the health of the node.</summary>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>A task that completes if the node is healthy.</returns>
    public Task CheckAsync(CancellationToken cancellationToken = default) => SendAsync(HttpMethod.Get, "-/healthz", null, cancellationToken);

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _connection.Dispose();

    private static string Application(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Applications + Uri.EscapeDataString(name);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, JsonNode? body) => new(method, path)
    {
        Content = body is null ? null : new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json", "utf-8")),
    };

    private async Task SendAsync(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        using var request = Request(method, path, body);
        using var response = await _connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> ReadAsync<T>(HttpMethod method, string path, JsonNode? body, CancellationToken cancellationToken)
    {
        using var request = Request(method, path, body);
        return await ReadAsync<T>(request, cancellationToken).ConfigureAwait(false);
    }

    private Task<T> ReadAsync<T>(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _connection.ReadAsync<T>(request, ServeJson.Options, cancellationToken);

    private async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw _connection.Unreachable(e);
        }
    }
}
