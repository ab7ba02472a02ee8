using System.Net.Http.Headers;
using Serve.Admin;

namespace Serve.Http;

/// <summary>Where requests to a node are sent, and the token that they present. Immutable.</summary>
/// <param name="Address">Base address, with a slash at its end.</param>
/// <param name="Token">The token; null for none.</param>
/// <param name="Remedy">What to tell a caller whose token the node rejects: where it came from, or how to specify one.</param>
internal sealed record NodeCredentials(Uri Address, string? Token, string Remedy)
{
    /// <summary>The header that presents the token.</summary>
    public AuthenticationHeaderValue? Authorization { get; } = Token is null ? null : new("Bearer", Token);

    /// <summary>Reads the token that the caller specified.</summary>
    /// <param name="address">Base address.</param>
    /// <param name="options">The caller's options.</param>
    /// <returns>Null if it specified none.</returns>
    /// <exception cref="ArgumentException">The token file cannot be read or is empty, or two tokens were specified.</exception>
    public static NodeCredentials? Specified(Uri address, ServeClientOptions options)
    {
        if (options is { Token: not null, TokenFile: not null })
            throw new ArgumentException("Specify a token or a token file, not both.", nameof(options));
        if (options.Token is { } given)
            return new(address, given, "");
        if (options.TokenFile is not { } file)
            return null;
        try
        {
            var token = File.ReadAllText(file).Trim();
            return token.Length > 0 ? new(address, token, $"It was read from {file}.") : throw new ArgumentException($"The token file {file} is empty.", nameof(options));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"The token file {file} cannot be read: {e.Message}", nameof(options), e);
        }
    }

    /// <summary>Finds the token of a running node that the current user started on this machine.</summary>
    /// <param name="address">Base address.</param>
    public static NodeCredentials Find(Uri address)
    {
        const string Specify = "Specify the file with its token: --token-file of the CLI, or ServeClientOptions.TokenFile.";
        if (!address.IsLoopback)
            return new(address, null, Specify);
        foreach (var node in NodeAnnouncement.ForCurrentUser().Find())
        {
            if ((At(address, node.Gateway) ?? At(address, node.Admin)) is not { } found)
                continue;
            try
            {
                return new(found, File.ReadAllText(node.TokenFile).Trim(), $"It was read from {node.TokenFile}.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new(found, null, $"The token file of process {node.Pid} cannot be read: {e.Message}");
            }
        }

        return new(address, null, $"The current user has started no node at {address.GetLeftPart(UriPartial.Authority)} that is running. {Specify}");
    }

    // Returns the address to use. Another user may listen on the other addresses that 'localhost' means, and must not receive the token.
    private static Uri? At(Uri address, string announced)
    {
        var node = new Uri(announced);
        return node.Port != address.Port ? null
            : node.Host == address.Host || node.Host == "localhost" ? address
            : address.Host == "localhost" ? new UriBuilder(address) { Host = node.Host }.Uri
            : null;
    }
}
