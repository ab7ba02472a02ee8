namespace Serve.Cli.Hosting;

/// <summary>Reads the file with the token that callers of a node must present.</summary>
internal static class NodeTokenFile
{
    private const int MinLength = 16;

    /// <summary>Reads a token file.</summary>
    /// <param name="file">Path of the file.</param>
    /// <returns>The token, without surrounding whitespace.</returns>
    public static string Read(string file)
    {
        try
        {
            var token = File.ReadAllText(file).Trim();
            return token.Length >= MinLength && !token.Any(char.IsWhiteSpace)
                ? token
                : throw new CommandFailedException($"The token in {file} must have at least {MinLength} characters on one line, without spaces. Create one with: openssl rand -hex 32 > {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The token file {file} cannot be read: {e.Message}", inner: e);
        }
    }
}
