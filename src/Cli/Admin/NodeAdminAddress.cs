using Serve.Admin;

namespace Serve.Cli.Admin;

/// <summary>Address and token file of a node's admin API.</summary>
/// <param name="Uri">Base address.</param>
/// <param name="TokenFile">File with the node's token; null if it has none.</param>
internal sealed record NodeAdminAddress(Uri Uri, string? TokenFile)
{
    /// <summary>Default address.</summary>
    public const string Default = "http://127.0.0.1:8265";

    /// <summary>Environment variable with the address.</summary>
    public const string AddressVariable = "SERVE_ADDRESS";

    /// <summary>Environment variable with the path of the token file.</summary>
    public const string TokenFileVariable = "SERVE_TOKEN_FILE";

    /// <summary>Resolves the address: the command line overrides the environment, which overrides the default.</summary>
    /// <param name="address">Option of the command line.</param>
    /// <param name="tokenFile">Option of the command line.</param>
    public static NodeAdminAddress Find(string? address, string? tokenFile)
    {
        address = FirstSet(address, Environment.GetEnvironmentVariable(AddressVariable)) ?? Default;
        tokenFile = FirstSet(tokenFile, Environment.GetEnvironmentVariable(TokenFileVariable));
        var text = address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? new(uri, tokenFile)
            : throw new CommandFailedException($"--address must be a URL like {Default}, but was '{address}'.", CliExitCode.Usage);
    }

    /// <summary>Creates a client for the admin API; it sends nothing yet.</summary>
    public AdminClient Open() => Open(static (address, options) => new AdminClient(address, options));

    /// <summary>Creates a client for the state API of the node's cluster; it sends nothing yet.</summary>
    public StateClient OpenState() => Open(static (address, options) => new StateClient(address, options));

    /// <summary>Creates a client for the workflow API of the node; it sends nothing yet.</summary>
    public WorkflowClient OpenWorkflows() => Open(static (address, options) => new WorkflowClient(address, options));

    /// <summary>Returns whether a node answers, also with an error, for example because of a missing token.</summary>
    /// <param name="client">Client of the node.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public static async Task<bool> AnswersAsync(AdminClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.CheckAsync(cancellationToken);
            return true;
        }
        catch (NodeUnreachableException)
        {
            return false;
        }
        catch (ServeException)
        {
            return true;
        }
    }

    private T Open<T>(Func<string, ServeClientOptions, T> make)
    {
        try
        {
            return make(Uri.AbsoluteUri, new ServeClientOptions { TokenFile = TokenFile });
        }
        catch (ArgumentException e)
        {
            throw new CommandFailedException(e.Message.Split(" (Parameter", 2)[0], CliExitCode.Usage, e);
        }
    }

    private static string? FirstSet(params ReadOnlySpan<string?> values)
    {
        foreach (var value in values)
        {
            if (!string.IsNullOrWhiteSpace(value))
                return value;
        }

        return null;
    }
}
