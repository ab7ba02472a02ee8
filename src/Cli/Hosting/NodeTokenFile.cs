namespace Serve.Cli.Hosting;

/// <summary>The token that a node asks callers for.</summary>
internal static class NodeTokenFile
{
    private const int MinLength = 16;

    /// <summary>Reads a token file.</summary>
    /// <param name="file">Its path.</param>
    /// <returns>The token, without the white space around it.</returns>
    public static string Read(string file)
    {
        try
        {
            var token = File.ReadAllText(file).Trim();
            return token.Length >= MinLength && !token.Any(char.IsWhiteSpace)
                ? token
                : throw new CommandFailedException($"The token in {file} is too short or holds spaces: put at least {MinLength} characters on one line. For instance: openssl rand -hex 32 > {file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The token file {file} cannot be read: {e.Message}", inner: e);
        }
    }
}
