using Serve.Admin;
using Serve.Http;

namespace Serve.Cli.Admin;

/// <summary>Where a node's admin API is, and what to present to it.</summary>
/// <param name="Uri">Its base address.</param>
/// <param name="TokenFile">Holds the node's token; null when it has none.</param>
internal sealed record NodeAdminAddress(Uri Uri, string? TokenFile)
{
    /// <summary>Where a node is unless told otherwise.</summary>
    public const string Default = "http://127.0.0.1:8265";

    /// <summary>Names the address.</summary>
    public const string AddressVariable = "SERVE_ADDRESS";

    /// <summary>Names a file that holds the token.</summary>
    public const string TokenFileVariable = "SERVE_TOKEN_FILE";

    /// <summary>Whether the node is on this machine.</summary>
    public bool IsLocal => RequestGuard.IsLoopback(Uri.Host);

    /// <summary>Finds the node: the command line wins over the environment, which wins over the default.</summary>
    /// <param name="address">From the command line.</param>
    /// <param name="tokenFile">From the command line.</param>
    /// <returns>The address.</returns>
    public static NodeAdminAddress Find(string? address, string? tokenFile)
    {
        address = FirstSet(address, Environment.GetEnvironmentVariable(AddressVariable)) ?? Default;
        tokenFile = FirstSet(tokenFile, Environment.GetEnvironmentVariable(TokenFileVariable));
        var text = address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address;
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? new(uri, tokenFile)
            : throw new CommandFailedException($"'{address}' is not an address. Expected something like {Default}.", CliExitCode.Usage);
    }

    /// <summary>A client for it.</summary>
    /// <returns>The client; nothing is sent yet.</returns>
    public AdminClient Open() => Open(static (address, options) => new AdminClient(address, options));

    /// <summary>A client for its cluster.</summary>
    /// <returns>The client; nothing is sent yet.</returns>
    public StateClient OpenState() => Open(static (address, options) => new StateClient(address, options));

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
