using System.Security.Cryptography;

namespace Serve.Cli.Hosting;

/// <summary>The file with the token that callers of a node must present.</summary>
internal static class NodeTokenFile
{
    private const int MinLength = 16;
    private const UnixFileMode OwnerReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Reads a token file.</summary>
    /// <param name="file">Path of the file.</param>
    /// <returns>The token, without surrounding whitespace.</returns>
    /// <exception cref="CommandFailedException">The file cannot be read, or contains no token.</exception>
    public static string Read(string file) => Read(file, $"Create one with: openssl rand -hex 32 > {file}");

    /// <summary>Reads the token of a state directory, and creates it at the first start.</summary>
    /// <param name="file">Path of the file.</param>
    /// <returns>The token.</returns>
    /// <exception cref="CommandFailedException">The file cannot be read or created, others may read it, or it contains no token.</exception>
    public static string ReadOrCreate(string file)
    {
        const string Renew = "Delete the file to have a new token created.";
        if (File.Exists(file))
        {
            if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(file) is var mode && (mode & Others) != UnixFileMode.None)
            {
                throw new CommandFailedException(
                    $"The token file {file} is accessible to other users (mode {Convert.ToString((int)mode, 8)}), who may know the token. {Renew} To keep it: chmod 600 {file}");
            }

            return Read(file, Renew);
        }

        try
        {
            var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            Create(file, token);
            return token;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The token file {file} cannot be created: {e.Message}", inner: e);
        }
    }

    // A crash leaves no incomplete token: the file gets its name when it is complete.
    private static void Create(string file, string token)
    {
        var draft = file + ".new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerReadWrite;
        File.Delete(draft);
        using (var writer = new StreamWriter(draft, options))
            writer.WriteLine(token);
        File.Move(draft, file);
    }

    private static string Read(string file, string remedy)
    {
        try
        {
            var token = File.ReadAllText(file).Trim();
            return token.Length >= MinLength && !token.Any(char.IsWhiteSpace)
                ? token
                : throw new CommandFailedException($"The token in {file} must have at least {MinLength} characters on one line, without spaces. {remedy}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException($"The token file {file} cannot be read: {e.Message}", inner: e);
        }
    }
}
