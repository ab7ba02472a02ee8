using System.Text.RegularExpressions;

namespace Serve.Repository.Tests;

public sealed partial class EventIdTests
{
    [Fact]
    public void LogMessages_OfAllProjects_HaveTheirOwnEventId()
    {
        var messages = RepositoryFiles.Below("src", "*.cs").SelectMany(file => EventId().Matches(RepositoryFiles.Read(file)).Select(match => (Id: match.Groups[1].Value, File: file))).ToList();
        Assert.True(messages.Count > 50, $"Only {messages.Count} log messages were found.");
        Assert.Empty(messages.GroupBy(message => message.Id).Where(same => same.Count() > 1).Select(same => $"{same.Key}: {string.Join(", ", same.Select(message => message.File))}"));
    }

    [GeneratedRegex(@"LoggerMessage\((?:EventId = )?([0-9]+)")]
    private static partial Regex EventId();
}
