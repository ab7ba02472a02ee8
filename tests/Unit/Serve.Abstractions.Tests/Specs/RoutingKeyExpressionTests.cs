using Serve.Specs;

namespace Serve.Abstractions.Tests.Specs;

public sealed class RoutingKeyExpressionTests
{
    [Theory]
    [InlineData("header:x-session-id", RoutingKeySource.Header, "x-session-id")]
    [InlineData("cookie:sid", RoutingKeySource.Cookie, "sid")]
    [InlineData("query:user", RoutingKeySource.Query, "user")]
    [InlineData("route:/users/{id}", RoutingKeySource.Route, "/users/{id}")]
    [InlineData("json:messages.text", RoutingKeySource.Json, "messages.text")]
    public void TryParse_Expression_Parses(string text, RoutingKeySource source, string name)
    {
        Assert.True(RoutingKeyExpression.TryParse(text, out var expression, out _));
        Assert.Equal((source, name), (expression.Source, expression.Name));
    }

    [Theory]
    [InlineData("", "must be header:NAME, cookie:NAME, query:NAME, route:/PATH/{NAME} or json:FIELD, not ''")]
    [InlineData("x-session-id", "must be header:NAME, cookie:NAME, query:NAME, route:/PATH/{NAME} or json:FIELD, not 'x-session-id'")]
    [InlineData("header:", "must be header:NAME, cookie:NAME, query:NAME, route:/PATH/{NAME} or json:FIELD, not 'header:'")]
    [InlineData("header:a b", "must be header:NAME, cookie:NAME, query:NAME, route:/PATH/{NAME} or json:FIELD, not 'header:a b'")]
    [InlineData("json:a..b", "'json:a..b' must not contain empty field names")]
    [InlineData("route:users/{id}", "'route:users/{id}' must have a '/' after 'route:'; the path is relative to the route prefix")]
    [InlineData("route:/users", "'route:/users' must contain a segment {NAME}, which is the key")]
    [InlineData("route:/users/{id", "'route:/users/{id' must consist of non-empty segments, which are texts or {NAME}")]
    [InlineData("route:/users/{}", "'route:/users/{}' must consist of non-empty segments, which are texts or {NAME}")]
    public void TryParse_InvalidExpression_SaysWhy(string text, string expected)
    {
        Assert.False(RoutingKeyExpression.TryParse(text, out _, out var problem));
        Assert.Equal(expected, problem);
    }
}
