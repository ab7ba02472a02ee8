using System.ComponentModel;
using System.Diagnostics;
using System.IO.Compression;
using System.Formats.Tar;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Serve.Dashboard.Tests;

/// <summary>Files of the pages: their content security policy, their size, and the vendored libraries.</summary>
public sealed partial class DashboardPageTests
{
    private const int MaxCompressedBytes = 150 * 1024;

    private static readonly string Folder = Path.Combine(Root(), "src", "Dashboard", "Serve.Dashboard", "wwwroot");

    [Fact]
    public void Files_Compressed_FitTheLimit() => Assert.InRange(Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Sum(CompressedLength), 1, MaxCompressedBytes);

    [Fact]
    public void Html_ContainsNoInlineScriptOrStyle()
    {
        foreach (var file in Directory.EnumerateFiles(Folder, "*.html", SearchOption.AllDirectories))
            Assert.DoesNotMatch(InlineCode(), File.ReadAllText(file));
    }

    [Fact]
    public void Scripts_NeverInsertHtmlOrEvaluateText()
    {
        foreach (var file in OwnScripts())
            Assert.DoesNotMatch(UnsafeCode(), File.ReadAllText(file));
    }

    [Fact]
    public void Scripts_ImportExistingFiles()
    {
        foreach (var file in OwnScripts())
        {
            foreach (Match import in Imports().Matches(File.ReadAllText(file)))
                Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(file)!, import.Groups[1].Value)), $"{file}: {import.Value}");
        }
    }

    [Fact]
    public async Task VendoredFiles_AreThoseOfTheirPackages()
    {
        using var versions = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "vendor", "versions.json")));
        var scratch = Directory.CreateTempSubdirectory("serve-vendor-");
        try
        {
            foreach (var file in versions.RootElement.EnumerateObject())
            {
                Assert.All(file.Value.GetProperty("license").GetString()!.Split(", "), license => Assert.True(File.Exists(Path.Combine(Folder, "vendor", license)), license));
                var package = $"{file.Value.GetProperty("package").GetString()}@{file.Value.GetProperty("version").GetString()}";
                if (await PackAsync(package, scratch.FullName) is not { } archive)
                    return;
                Assert.Equal(ReadEntry(archive, "package/" + file.Value.GetProperty("path").GetString()), File.ReadAllBytes(Path.Combine(Folder, "vendor", file.Name)));
            }
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>Fetches a package; null if npm or its registry cannot be reached.</summary>
    private static async Task<string?> PackAsync(string package, string folder)
    {
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["pack", package, "--silent", "--pack-destination", folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var name = (await npm.StandardOutput.ReadToEndAsync()).Trim();
            await npm.WaitForExitAsync();
            return npm.ExitCode == 0 && name.Length > 0 ? Path.Combine(folder, name) : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static byte[] ReadEntry(string archive, string name)
    {
        using var unpacked = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var reader = new TarReader(unpacked);
        while (reader.GetNextEntry(copyData: true) is { } entry)
        {
            if (entry.Name != name)
                continue;
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            return content.ToArray();
        }

        throw new InvalidDataException($"{archive} has no {name}.");
    }

    private static long CompressedLength(string file)
    {
        using var output = new MemoryStream();
        using (var compressed = new GZipStream(output, CompressionLevel.SmallestSize, leaveOpen: true))
            compressed.Write(File.ReadAllBytes(file));
        return output.Length;
    }

    private static IEnumerable<string> OwnScripts() =>
        Directory.EnumerateFiles(Folder, "*.js", SearchOption.AllDirectories).Where(file => Path.GetFileName(Path.GetDirectoryName(file)) != "vendor");

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    [GeneratedRegex("""<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=""", RegexOptions.IgnoreCase)]
    private static partial Regex InlineCode();

    [GeneratedRegex("""innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function""")]
    private static partial Regex UnsafeCode();

    [GeneratedRegex("""from '(\.[^']+)'""")]
    private static partial Regex Imports();
}
