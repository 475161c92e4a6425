<?php
session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax']);
$basket = $_SESSION['basket'] ?? [];
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $item = trim((string) ($_POST['item'] ?? ''));
    if ($item === '' || strlen($item) > 100) {
        http_response_code(400);
        exit('an item has 1 to 100 characters');
    }
    $_SESSION['basket'] = [...$basket, $item];
    session_write_close();
    header('Location: /', true, 303);
    exit;
}
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Basket</title>
<h1>Your basket: <?= count($basket) ?></h1>
<ul>
<?php foreach ($basket as $item): ?>
  <li><?= htmlspecialchars($item) ?></li>
<?php endforeach ?>
</ul>
<form method="post"><input name="item" required maxlength="100" aria-label="Item"> <button>Add</button></form>
</html>
