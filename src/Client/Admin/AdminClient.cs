using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Http;
using Serve.Specs;

namespace Serve.Admin;

/// <summary>
/// Deploys to a node and asks it how things are: its admin REST API, typed. Thread-safe. Every method throws
/// <see cref="NodeUnreachableException"/> when nothing answers, <see cref="AccessDeniedException"/> when the token is missing or wrong,
/// and <see cref="DefinitionException"/> with every error when what was sent is wrong.
/// </summary>
public sealed class AdminClient : IDisposable
{
    private const string Applications = "api/serve/applications/";

    private readonly NodeHttpConnection _connection;

    /// <summary>Prepares to talk to a node; sends nothing.</summary>
    /// <param name="address">The admin API's base address. Default: that of a node on this machine with default ports.</param>
    /// <param name="options">How to reach it. Default: as suits a node on this machine.</param>
    /// <exception cref="ArgumentException">The address or the token file cannot be read.</exception>
    public AdminClient(string address = "http://127.0.0.1:8265", ServeClientOptions? options = null) => _connection = NodeHttpConnection.Open(
        address,
        options ?? new ServeClientOptions(),
        "Start a node with 'serve start', or say where one is with --address or SERVE_ADDRESS.");

    /// <summary>The admin API's address.</summary>
    public Uri Address => _connection.Address;

    /// <summary>Makes the node run exactly what a config lists; applications that it does not list go. Returns when the node has taken it, not when it is done.</summary>
    /// <param name="config">What is to run.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Completes when the node has stored what is wanted.</returns>
    public Task DeployAsync(ServeConfig config, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Put, Applications, ServeConfigWriter.Write(config), cancellationToken);

    /// <summary>Deploys one application and leaves the others alone. Returns when the node has taken it, not when it is done.</summary>
    /// <param name="application">What is to run.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Completes when the node has stored what is wanted.</returns>
    public Task DeployAsync(ApplicationConfig application, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(application);
        return SendAsync(HttpMethod.Put, Application(application.Name), ServeConfigWriter.Write(application), cancellationToken);
    }

    /// <summary>Everything about the node: applications, deployments, replicas, and why they are as they are.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>The status.</returns>
    public Task<ServeInstanceDetails> GetStatusAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<ServeInstanceDetails>(HttpMethod.Get, Applications, null, cancellationToken);

    /// <summary>One application.</summary>
    /// <param name="application">Its name.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Its status.</returns>
    /// <exception cref="NoSuchRouteException">There is no such application.</exception>
    public Task<ApplicationDetails> GetApplicationAsync(string application, CancellationToken cancellationToken = default) =>
        ReadAsync<ApplicationDetails>(HttpMethod.Get, Application(application), null, cancellationToken);

    /// <summary>Removes one application: its requests are finished, then its replicas end.</summary>
    /// <param name="application">Its name.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Completes when the node has stored that it goes.</returns>
    /// <exception cref="NoSuchRouteException">There is no such application.</exception>
    public Task DeleteAsync(string application, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Application(application), null, cancellationToken);

    /// <summary>Removes every application.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Completes when the node has stored that they go.</returns>
    public Task DeleteAllAsync(CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Applications, null, cancellationToken);

    /// <summary>Sets how many replicas a deployment has. Holds until the application is deployed anew.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="replicas">How many, 0 to 10000.</param>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Completes when the node has stored what is wanted.</returns>
    /// <exception cref="NoSuchRouteException">There is no such application or deployment.</exception>
    public Task ScaleAsync(DeploymentId deployment, int replicas, CancellationToken cancellationToken = default) => SendAsync(
        HttpMethod.Post,
        $"api/v1/applications/{Uri.EscapeDataString(deployment.Application)}/deployments/{Uri.EscapeDataString(deployment.Name)}/scale",
        JsonSerializer.SerializeToNode(new ScaleDeploymentRequest { TargetNumReplicas = replicas }, ServeJson.Options),
        cancellationToken);

    /// <summary>The lines that an application's replicas have logged.</summary>
    /// <param name="application">Its name.</param>
    /// <param name="deployment">Only this deployment's; null for all.</param>
    /// <param name="replica">Only this replica's, by its id or the last part of it; null for all.</param>
    /// <param name="tail">How many lines of what is there already; null for the node's own choice.</param>
    /// <param name="follow">Whether to wait for more lines, until cancelled.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The lines as they come.</returns>
    /// <exception cref="NoSuchRouteException">There is no such application, deployment or replica.</exception>
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

    /// <summary>The nodes: what they have, what is reserved of it, and their worker processes.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>The nodes.</returns>
    public Task<NodeDetailsList> GetNodesAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<NodeDetailsList>(HttpMethod.Get, "api/v1/nodes", null, cancellationToken);

    /// <summary>Ends the node and everything on it: requests are finished first. What is deployed comes back when the node starts again.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>What was ended, told when only the node's own process is left, which ends after this.</returns>
    public Task<NodeShutdownReport> ShutdownAsync(CancellationToken cancellationToken = default) =>
        ReadAsync<NodeShutdownReport>(HttpMethod.Post, "api/v1/shutdown", null, cancellationToken);

    /// <summary>Uploads built code.</summary>
    /// <param name="zip">The package, as <c>serve build</c> writes it; read to its end, not disposed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What to name as an application's <c>import_path</c>.</returns>
    public async Task<UploadedPackageReference> UploadPackageAsync(Stream zip, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(zip);
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/v1/packages")
        {
            Content = new PackageHttpContent(zip),
        };
        return await ReadAsync<UploadedPackageReference>(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds out whether a node answers.</summary>
    /// <param name="cancellationToken">Stops waiting for the answer.</param>
    /// <returns>Completes when it has answered that it is well.</returns>
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
