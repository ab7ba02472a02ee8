using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Serve.Inference.Tests;

/// <summary>Raw binary requests: the body is the only input, and its shape follows from its length.</summary>
public sealed class RawBinaryRequestTests
{
    [Theory]
    [InlineData("3", 12, "[3]")]
    [InlineData("-1", 12, "[3]")]
    [InlineData("-1,2", 16, "[2,2]")]
    [InlineData("2,-1", 8, "[2,1]")]
    [InlineData("-1,-1", 12, "[1,3]")]
    [InlineData("-1,2", 0, "[0,2]")]
    [InlineData("", 4, "[]")]
    public async Task Raw_Numbers_InferShapeFromLength(string shape, int length, string expected)
    {
        byte[] body = [.. Enumerable.Range(0, length).Select(each => (byte)each)];
        await AnswersAsync(Model(TensorType.Int32, shape), body, expected, body);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1")]
    [InlineData("-1,1")]
    [InlineData("")]
    public async Task Raw_String_IsTheBody(string shape) =>
        await AnswersAsync(
            Model(TensorType.String, shape), Encoding.UTF8.GetBytes("größer"), shape switch { "" => "[]", "-1,1" => "[1,1]", _ => "[1]" },
            [8, 0, 0, 0, .. Encoding.UTF8.GetBytes("größer")]);

    [Theory]
    [InlineData(TensorType.Int32, "3", 8, "input 'x': INT32[3] requires 12 bytes, but has 8.")]
    [InlineData(TensorType.Int32, "-1,2", 12, "input 'x': INT32[1,2] requires 8 bytes, but has 12.")]
    [InlineData(TensorType.Int32, "2,-1,-1", 8, "the shape of x: INT32[2,-1,-1] cannot be inferred")]
    [InlineData(TensorType.Int32, "-1,-1,-1", 8, "the shape of x: INT32[-1,-1,-1] cannot be inferred")]
    [InlineData(TensorType.String, "2", 8, "input 'x': a request without JSON has one string, but the model expects x: BYTES[2].")]
    public async Task Raw_AmbiguousShape_Returns400(TensorType type, string shape, int length, string expected) =>
        await RefusedAsync(Model(type, shape), new byte[length], expected);

    [Fact]
    public async Task Raw_InvalidUtf8_Returns400() => await RefusedAsync(Model(TensorType.String, "1"), [0xFF], "input 'x': string 0 is not valid UTF-8.");

    [Fact]
    public async Task Raw_SeveralInputs_Returns400() =>
        await RefusedAsync(new FakeOnnxModel("m", FakeOnnxModel.Spec("x", TensorType.Int32, 1), FakeOnnxModel.Spec("y", TensorType.Int32, 1)), new byte[8], "requires a model with one input");

    private static FakeOnnxModel Model(TensorType type, string shape) =>
        new("m", FakeOnnxModel.Spec("x", type, [.. shape.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(length => long.Parse(length, CultureInfo.InvariantCulture))]));

    private static async Task AnswersAsync(FakeOnnxModel model, byte[] body, string shape, byte[] output)
    {
        using (model)
        {
            await using var host = await ModelServerTestHost.StartAsync(model);
            using var response = await host.SendBinaryAsync("", body, "0");
            var answer = await response.Content.ReadAsByteArrayAsync();
            Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(answer));
            var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
            Assert.Equal(shape, JsonNode.Parse(answer.AsSpan(0, length))!["outputs"]![0]!["shape"]!.ToJsonString());
            Assert.Equal(output, answer[length..]);
        }
    }

    private static async Task RefusedAsync(FakeOnnxModel model, byte[] body, string expected)
    {
        using (model)
        {
            await using var host = await ModelServerTestHost.StartAsync(model);
            using var response = await host.SendBinaryAsync("", body, "0");
            var text = await response.Content.ReadAsStringAsync();
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, text);
            Assert.Contains(expected, (string)JsonNode.Parse(text)!["error"]!, StringComparison.Ordinal);
            Assert.Equal(0, model.Runs);
        }
    }
}
